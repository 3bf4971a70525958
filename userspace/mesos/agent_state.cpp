#include "mesos/agent_state.h"

#include <boost/json/memory_resource.hpp>
#include <boost/json/parser.hpp>
#include <boost/json/value.hpp>
#include <cassert>
#include <new>
#include <set>
#include <utility>

#include "mesos/errors.h"
#include "mesos/json_item.h"
#include "mesos/limits.h"
#include "mesos/task_json.h"

namespace viaduct::mesos {
namespace {

namespace json = boost::json;

/// The heap with a ceiling: a text of brackets and commas decodes to many times its own size.
/// Boost.JSON 1.81 frees some keys under another alignment than it asked for; no JSON type needs
/// more than the default alignment.
class BoundedMemory : public json::memory_resource {
 public:
  explicit BoundedMemory(std::size_t limit) : left_(limit) {}

 private:
  void* do_allocate(std::size_t bytes, [[maybe_unused]] std::size_t alignment) override {
    if (bytes > left_) throw std::bad_alloc();
    assert(alignment <= __STDCPP_DEFAULT_NEW_ALIGNMENT__);
    void* memory = ::operator new(bytes);
    left_ -= bytes;
    return memory;
  }
  void do_deallocate(void* memory, std::size_t bytes, std::size_t) override {
    ::operator delete(memory);
    left_ += bytes;
  }
  bool do_is_equal(const json::memory_resource& other) const noexcept override {
    return this == &other;
  }

  std::size_t left_;
};

base::Result<json::value> decode(std::string_view text, BoundedMemory& memory) {
  json::parse_options options;
  options.max_depth = kMaxJsonDepth;
  try {
    json::error_code error;
    json::parser parser(&memory, options);
    parser.reset(&memory);
    parser.write(text.data(), text.size(), error);
    if (error) return base::Error{Errc::bad_json, error.message()};
    return parser.release();
  } catch (const std::bad_alloc&) {
    return base::Error{Errc::bad_json, "it decodes to too much memory"};
  }
}

base::Error unexpected(std::string what) { return {Errc::unexpected_shape, std::move(what)}; }

/// The object that a member of an object must be.
base::Result<const json::object*> require_object(const json::object& object, std::string_view key) {
  const json::value* found = object.if_contains(key);
  if (found == nullptr) return unexpected("there is no " + std::string(key));
  if (!found->is_object()) return unexpected(std::string(key) + " is not an object");
  return &found->get_object();
}

base::Result<const json::object*> require_member(const json::value& answer, std::string_view key) {
  if (!answer.is_object()) return unexpected("the answer is not an object");
  return require_object(answer.get_object(), key);
}

/// A list that may be absent, but not be anything else: an empty list of tasks withdraws every VIP.
base::Result<const json::array*> optional_list(const json::object& object, std::string_view key) {
  const json::value* found = object.if_contains(key);
  if (found == nullptr) return nullptr;
  if (!found->is_array()) return unexpected(std::string(key) + " is not a list");
  return &found->get_array();
}

base::Result<void> read_frameworks(const json::object& state, AgentState& out,
                                   Rejections& rejections) {
  if (!state.contains("get_frameworks")) return {};
  const json::value* found = state.if_contains("get_frameworks");
  if (!found->is_object()) return unexpected("get_frameworks is not an object");
  const auto list = optional_list(found->get_object(), "frameworks");
  if (!list) return list.error();
  const JsonItem owner(found->get_object(), "", rejections);
  for_each_item(*list, owner, "framework", kMaxFrameworks, [&](const JsonItem& item) {
    const auto info = item.object("framework_info");
    const auto id = info ? info->id("id") : std::nullopt;
    if (!id) return item.reject("has no usable id");
    const auto name = info->at("framework " + *id).text("name");
    if (!name) return item.at("framework " + *id).reject("has no usable name");
    out.frameworks[*id] = *name;
  });
  return {};
}

base::Result<void> read_tasks(const json::object& state, AgentState& out, Rejections& rejections) {
  const auto tasks = require_object(state, "get_tasks");
  if (!tasks) return tasks.error();
  const bool launched = (*tasks)->contains("launched_tasks");
  const auto list = optional_list(**tasks, launched ? "launched_tasks" : "tasks");
  if (!list) return list.error();
  const JsonItem owner(**tasks, "", rejections);
  std::set<std::pair<std::string, std::string>> seen;
  for_each_item(*list, owner, "task", kMaxTasks, [&](const JsonItem& item) {
    auto task = read_task(item);
    if (!task) return;
    if (seen.emplace(task->framework_id, task->id).second)
      out.tasks.push_back(std::move(*task));
    else
      item.at("task " + task->id).reject("is listed twice; the first one counts");
  });
  return {};
}

}  // namespace

base::Result<AgentState> parse_agent_state(std::string_view text) {
  BoundedMemory memory(kDecodedBaseBytes + kMaxDecodedPerByte * text.size());
  const auto value = decode(text, memory);
  if (!value) return value.error();
  const auto state = require_member(*value, "get_state");
  if (!state) return state.error();
  AgentState out;
  Rejections rejections;
  if (auto done = read_frameworks(**state, out, rejections); !done) return done.error();
  if (auto done = read_tasks(**state, out, rejections); !done) return done.error();
  out.rejected = rejections.take();
  return out;
}

base::Result<AgentInfo> parse_agent_info(std::string_view text) {
  BoundedMemory memory(kDecodedBaseBytes + kMaxDecodedPerByte * text.size());
  const auto value = decode(text, memory);
  if (!value) return value.error();
  const auto answer = require_member(*value, "get_agent");
  if (!answer) return answer.error();
  Rejections rejections;
  const auto info = JsonItem(**answer, "", rejections).object("agent_info");
  const auto id = info ? info->id("id") : std::nullopt;
  if (!id) return unexpected("there is no agent_info.id");
  const std::int64_t port = info->integer("port").value_or(kAgentPort);
  return AgentInfo{*id, info->text("hostname").value_or(""),
                   port >= 1 && port <= 65535 ? static_cast<std::uint16_t>(port) : kAgentPort};
}

}  // namespace viaduct::mesos
