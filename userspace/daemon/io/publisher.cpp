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
                     dns::Server* server, dns::ZoneOptions zones)
    : plane_(plane), server_(server), zones_(zones), retry_(context) {}

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
  if (!plane_) {
    show_names(*wanted_);
    return;
  }
  // An incomplete snapshot has no names to take away: its zones answer SERVFAIL.
  if (wanted_->complete && named_) {
    named_ = common_names(wanted_, named_.get());
    show_names(*named_);
  }
  auto applied = plane_->apply(wanted_, base::Clock::now());
  pending_ = !applied;
  if (!applied) {
    log::error("kernel_write_failed",
               {{"revision", wanted_->revision}, {"error", applied.error().message()}});
    retry_after(kRetryWrite);
    return;
  }
  std::vector<service::VipKey> failed;
  for (const auto& problem : plane_->status().problems)
    if (!plane_->image().services.contains(problem.key)) failed.push_back(problem.key);
  named_ = without_failed(wanted_, failed);
  show_names(*named_);
  if (!failed.empty()) retry_after(kRetryRoom);
}

void Publisher::show_names(const service::Snapshot& snapshot) {
  auto built = dns::build_table(snapshot, zones_);
  for (const auto& rejected : built.rejected)
    log::warn("name_not_served", {{"error", rejected.message()}});
  table_ = std::make_shared<const dns::Table>(std::move(built.table));
  if (server_) server_->publish(table_);
}

void Publisher::retry_after(std::chrono::seconds delay) {
  retry_.expires_after(delay);
  retry_.async_wait([this](const boost::system::error_code& failed) {
    if (!failed) show();
  });
}

}  // namespace viaduct::daemon
