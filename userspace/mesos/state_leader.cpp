#include "mesos/state_leader.h"

#include <boost/json/value.hpp>
#include <optional>
#include <string>

#include "base/quote.h"
#include "mesos/errors.h"
#include "mesos/json_lists.h"
#include "mesos/pid.h"

namespace viaduct::mesos {
namespace {

constexpr std::size_t kMaxLeaderBytes = 4096;  ///< of memory

class LeaderReader : public JsonPartReader {
 public:
  void on_part(std::size_t, const boost::json::value& value, std::size_t) override {
    if (value.is_string()) text = std::string(value.get_string());
  }
  void on_too_large(std::size_t, std::size_t) override {}
  void on_mismatch(const std::string&) override {}

  std::optional<std::string> text;
};

}  // namespace

base::Result<base::Endpoint> state_leader(std::string_view state) {
  static const JsonLists lists(std::vector<JsonPart>{{.path = "leader"}});
  LeaderReader reader;
  if (auto read = lists.read(state, kMaxLeaderBytes, reader); !read) return read.error();
  if (!reader.text || reader.text->empty())
    return base::Error{Errc::unexpected_shape, "leader: the master knows none"};
  const auto pid = parse_pid(*reader.text);
  if (pid && pid->address) return base::Endpoint{*pid->address, pid->port};
  return base::Error{Errc::unexpected_shape,
                     "leader: " + base::in_quotes(*reader.text) + " has no address"};
}

}  // namespace viaduct::mesos
