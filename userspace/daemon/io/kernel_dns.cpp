#include "daemon/io/kernel_dns.h"

#include <algorithm>
#include <utility>

#include "base/io/log.h"
#include "dns/io/metrics.h"

namespace viaduct::daemon {
namespace {

constexpr std::chrono::milliseconds kBeat{500};  // eight are missed before the kernel gives up

}  // namespace

KernelDns::KernelDns(boost::asio::io_context& context, dns::Config config,
                     const dns::Server& server)
    : config_(std::move(config)), server_(server), timer_(context) {}

void KernelDns::use(const std::string& bpffs) {
  shown_ = false;
  if (auto opened = open(bpffs); !opened) return fail(opened.error());
  show();
}

base::Result<void> KernelDns::open(const std::string& bpffs) {
  auto opened = dns::KernelTable::open(bpffs);
  if (!opened) return opened.error();
  kernel_ = *std::move(opened);
  servers_.clear();
  kernel_->set_recursion(config_.forward.enabled());
  return kernel_->set_skipped({config_.kernel_skip.begin(), config_.kernel_skip.end()});
}

void KernelDns::publish(std::shared_ptr<const dns::Table> table, bool complete) {
  if (!table_ && !complete) return;
  table_ = std::move(table);
  shown_ = false;
  show();
}

void KernelDns::show() {
  if (!kernel_ || !table_) return;
  // In this order: what the kernel answers is never newer than what it answers from.
  auto done = follow_server();
  if (done) done = kernel_->publish(table_);
  if (!done) return fail(done.error());
  shown_ = true;
  if (!std::exchange(problem_, "").empty()) log::info("dns_kernel_answers");
  beat();
  kernel_->enable(true);
}

/// An address that is not ours may be somebody else's.
base::Result<void> KernelDns::follow_server() {
  const auto bound = server_.listening();
  std::set<base::Endpoint> servers(bound.begin(), bound.end());
  if (servers == servers_) return {};
  auto done = kernel_->set_servers(servers);
  if (done) servers_ = std::move(servers);
  return done;
}

/// Says that all who answer live; whoever is stuck keeps it at the moment when it was last seen.
void KernelDns::beat() {
  timer_.cancel();
  kernel_->beat(std::min(std::chrono::steady_clock::now(), server_.last_alive()));
  timer_.expires_after(kBeat);
  timer_.async_wait([this](const boost::system::error_code& failed) {
    if (failed || !shown_) return;
    if (auto done = follow_server(); !done) return fail(done.error());
    beat();
  });
}

void KernelDns::fail(const base::Error& error) {
  shown_ = false;
  if (kernel_) kernel_->enable(false);
  if (problem_ == error.message()) return;
  problem_ = error.message();
  log::warn("dns_kernel_failed",
            {{"error", problem_}, {"consequence", "user space answers all names"}});
}

void KernelDns::stop() {
  timer_.cancel();
  shown_ = false;
  if (kernel_) kernel_->enable(false);
}

api::Capability KernelDns::capability() const {
  if (shown_)
    return {"dns in the kernel", true, "plain questions are answered on container links and lo"};
  return {"dns in the kernel", false,
          "user space answers all names: " +
              (problem_.empty() ? "the names are not complete" : problem_)};
}

void KernelDns::add_metrics(metrics::Page& page) const {
  if (!kernel_) return;
  if (const auto counts = kernel_->counts()) dns::publish(*counts, page);
}

}  // namespace viaduct::daemon
