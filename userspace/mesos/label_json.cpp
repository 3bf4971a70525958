#include "mesos/label_json.h"

#include <boost/json/value.hpp>
#include <string>

#include "mesos/limits.h"

namespace viaduct::mesos {
namespace {

namespace json = boost::json;

const json::array* label_list(const JsonItem& owner) {
  if (owner.is_array("labels")) return owner.array("labels");
  const auto wrapper = owner.object("labels");
  return wrapper ? wrapper->array("labels") : nullptr;
}

}  // namespace

std::vector<Label> read_labels(const JsonItem& owner, std::size_t limit,
                               bool (*matters)(std::string_view key)) {
  std::vector<Label> labels;
  const json::array* list = label_list(owner);
  if (list == nullptr) return labels;
  for (const auto& element : *list) {
    const auto* object = element.if_object();
    const json::value* raw_key = object == nullptr ? nullptr : object->if_contains("key");
    const auto* key = raw_key == nullptr ? nullptr : raw_key->if_string();
    if (key == nullptr) {
      owner.reject("has a label without a key");
      continue;
    }
    const std::string_view name(key->data(), key->size());
    if (!matters(name)) continue;
    const JsonItem item(*object, label_place(owner.where(), name), owner.rejections());
    if (labels.size() == limit) {
      item.reject("only the first " + std::to_string(limit) + " labels are read");
      break;
    }
    if (name.size() > kMaxTextBytes) {
      item.reject("the key has more than " + std::to_string(kMaxTextBytes) + " bytes");
      continue;
    }
    if (!item.has("value"))
      labels.push_back({std::string(name), ""});
    else if (auto value = item.text("value"))
      labels.push_back({std::string(name), std::move(*value)});
  }
  return labels;
}

}  // namespace viaduct::mesos
