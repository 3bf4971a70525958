#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "api/views.h"
#include "base/time.h"
#include "daemon/io/kernel_dns.h"
#include "daemon/io/publisher.h"
#include "dns/config.h"
#include "dns/explain.h"
#include "dns/io/server.h"

namespace viaduct::daemon {

/// Explains how a question is answered. The control thread's.
class DnsView {
 public:
  /// @param kernel  null: the kernel answers nothing.
  DnsView(const dns::Config& config, dns::Server& server, const Publisher& publisher,
          const KernelDns* kernel);

  /// A name outside our zones is asked for on the way; the call says that it is pending, one soon
  /// after what came of it.
  /// @errors base::Errc::bad_format: no name, or no type.
  base::Result<api::DnsExplanation> explain(const std::string& name, const std::string& type);

 private:
  struct Lookup {
    base::Time begun;
    std::string origin;  ///< "": it has not ended
  };
  /// Lookups that were begun, by question; the forwarder's thread ends them.
  struct Lookups {
    std::mutex mutex;
    std::map<std::string, Lookup> all;
  };

  void explain_ours(const dns::Explanation& found, api::DnsExplanation& made) const;
  std::vector<std::string> sources_of(const dns::Name& name) const;
  void explain_forwarded(const dns::Name& name, std::uint16_t type, api::DnsExplanation& made);

  const dns::Config& config_;
  dns::Server& server_;
  const Publisher& publisher_;
  const KernelDns* kernel_;
  std::shared_ptr<Lookups> lookups_ = std::make_shared<Lookups>();
};

}  // namespace viaduct::daemon
