#include "daemon/io/publisher.h"

#include <utility>

#include "base/io/log.h"
#include "daemon/names.h"

namespace viaduct::daemon {
namespace {

constexpr std::chrono::seconds kRetryWrite{1};
constexpr std::chrono::seconds kRetryRoom{
    5};  // until something else makes room, a full look is dear

}  // namespace

Publisher::Publisher(boost::asio::io_context& context, dataplane::DataPlane* plane,
                     dns::Server* server, dns::Zones zones)
    : plane_(plane), server_(server), zones_(std::move(zones)), retry_(context), drain_(context) {}

void Publisher::use(dataplane::DataPlane* plane) {
  plane_ = plane;
  if (wanted_) show();
}

void Publisher::publish(std::shared_ptr<const service::Snapshot> snapshot) {
  wanted_ = std::move(snapshot);
  show();
}

void Publisher::show() {
  retry_.cancel();
  if (!plane_) return show_names(wanted_);
  auto kernel = wanted_;
  // An incomplete snapshot has no names to take away: its zones answer SERVFAIL.
  if (wanted_->complete && named_) {
    if (hands_over(*wanted_, *named_)) show_names(common_names(wanted_, named_.get()));
    if (written_) kernel = with_leaving(wanted_, *written_, *named_);
  }
  auto done = write(kernel);
  if (done) show_names(without_failed(wanted_, failed()));
  if (done && kernel != wanted_) done = write(wanted_);
  pending_ = !done;
  if (done) {
    if (!failed().empty()) retry_after(kRetryRoom);
    return;
  }
  log::error("kernel_write_failed",
             {{"revision", wanted_->revision}, {"error", done.error().message()}});
  if (wanted_->complete && named_) show_names(common_names(wanted_, named_.get()));
  retry_after(kRetryWrite);
}

base::Result<void> Publisher::write(const std::shared_ptr<const service::Snapshot>& snapshot) {
  auto done = plane_->apply(snapshot, base::Clock::now());
  if (done) written_ = snapshot;
  show_after_drain();
  return done;
}

/// Services that the kernel does not have.
std::vector<service::VipKey> Publisher::failed() const {
  std::vector<service::VipKey> keys;
  for (const auto& problem : plane_->status().problems)
    if (!plane_->image().services.contains(problem.key)) keys.push_back(problem.key);
  return keys;
}

void Publisher::show_names(std::shared_ptr<const service::Snapshot> snapshot) {
  const bool differ = names_differ(*snapshot, named_.get());
  named_ = std::move(snapshot);
  if (!differ) return;
  zones_.update(*named_);
  for (const auto& rejected : zones_.take_rejected())
    log::warn("name_not_served", {{"error", rejected.message()}});
  table_ = zones_.table();
  if (server_) server_->publish(table_);
  if (kernel_) kernel_->publish(table_, named_->complete);
}

/// Backends that have drained leave the kernel when their time is over.
void Publisher::show_after_drain() {
  drain_.cancel();
  const auto next = plane_->next_drain();
  if (!next) return;
  drain_.expires_at(*next);
  drain_.async_wait([this](const boost::system::error_code& failed) {
    if (!failed) show();
  });
}

void Publisher::retry_after(std::chrono::seconds delay) {
  retry_.expires_after(delay);
  retry_.async_wait([this](const boost::system::error_code& failed) {
    if (!failed) show();
  });
}

}  // namespace viaduct::daemon
