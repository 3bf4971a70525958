#include "tools/viaductctl/io/dns.h"

#include <boost/json.hpp>
#include <boost/url.hpp>
#include <chrono>
#include <thread>

#include "base/address.h"
#include "base/time.h"
#include "dns/io/probe.h"
#include "dns/probe.h"
#include "tools/viaductctl/dns.h"
#include "tools/viaductctl/io/daemon.h"

namespace viaduct::ctl {
namespace {

constexpr int kTurns = 60;
constexpr std::chrono::milliseconds kTurn{100};
constexpr std::chrono::seconds kPatience{5};
constexpr std::uint8_t kRecursionDesired = 0x01;  // third octet of a message

}  // namespace

base::Result<json::value> explain_dns(const std::string& socket, const std::string& name,
                                      const std::string& type) {
  boost::urls::url target;
  target.set_path("/v1/dns");
  target.params().append({"name", name});
  target.params().append({"type", type});
  const auto ask = [&] { return ask_daemon(socket, std::string(target.buffer())); };
  auto explanation = ask();
  for (int turn = 0; turn < kTurns && explanation && flag_of(*explanation, "pending"); ++turn) {
    std::this_thread::sleep_for(kTurn);
    explanation = ask();
  }
  return explanation;
}

std::string ask_dns(const std::string& socket, const dns::Name& name, std::uint16_t type) {
  const auto status = ask_daemon(socket, "/v1/status");
  if (!status) return "";
  const json::array& listening = list_of(object_of(*status, "dns"), "listening");
  const auto server = listening.empty() || !listening.front().is_string()
                          ? std::nullopt
                          : base::Endpoint::parse(std::string_view(listening.front().get_string()));
  if (!server) return "";
  auto query = dns::make_query(1, name, static_cast<dns::Type>(type));
  query[2] |= kRecursionDesired;
  const auto begin = base::Clock::now();
  const auto reply = dns::exchange(*server, dns::Transport::udp, query, kPatience);
  const std::chrono::duration<double, std::milli> took = base::Clock::now() - begin;
  if (!reply) return server->to_string() + " does not answer: " + reply.error().code.message();
  return dns_reply_text(server->to_string(), *reply, took.count());
}

}  // namespace viaduct::ctl
