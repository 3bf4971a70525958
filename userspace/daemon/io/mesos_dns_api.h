#pragma once

#include "base/result.h"
#include "daemon/io/publisher.h"
#include "dns/config.h"
#include "dns/mesos_http_settings.h"
#include "http/io/server.h"
#include "http/reply.h"
#include "mesos/master_config.h"

namespace viaduct::daemon {

/// Serves the HTTP API of Mesos-DNS from what DNS answers. The control thread's.
class MesosDnsApi {
 public:
  /// @param config  with `http.listen`; borrowed, as the publisher is.
  MesosDnsApi(boost::asio::io_context& context, const dns::Config& config,
              const mesos::MasterConfig& master, const Publisher& publisher);

  /// @errors the system's code.
  base::Result<void> start();
  void stop() { server_.stop(); }

 private:
  http::Reply answer(const http::RequestHead& request) const;

  const dns::Config& config_;
  const Publisher& publisher_;
  dns::MesosHttpSettings settings_;
  http::Server server_;
};

}  // namespace viaduct::daemon
