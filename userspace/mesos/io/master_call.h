#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/address.h"
#include "base/result.h"
#include "http/io/stream.h"
#include "http/redirect.h"
#include "mesos/master_config.h"

namespace viaduct::mesos {

/// Longest token or password, in bytes.
inline constexpr std::size_t kMaxSecretBytes = 16 * 1024;

/// One request to a master: with credentials and TLS, and after redirects.
///
/// Files with secrets are read for each connection. A request with credentials goes to `trusted`
/// alone, by address and port: wherever else a redirect leads, it is not followed.
class MasterCall {
 public:
  /// @param config  outlives this.
  /// @param trusted  the masters that are configured, or that ZooKeeper names.
  MasterCall(boost::asio::any_io_executor executor, const MasterConfig& config,
             std::vector<base::Endpoint> trusted);

  /// Sends the request, and again wherever it is redirected to. Call it once.
  /// @param head_timeout  for connecting and the head, at each place.
  /// @errors as http::Stream::open(); http::Errc::bad_redirect; of the files with secrets.
  boost::asio::awaitable<base::Result<http::Response>> open(
      http::Place place, http::Request request, std::chrono::milliseconds head_timeout,
      std::optional<std::uint64_t> max_body_bytes = std::nullopt);
  /// The whole body of the answer.
  boost::asio::awaitable<base::Result<std::string>> body();
  /// What an answer that is no success says, for a person.
  boost::asio::awaitable<base::Error> refusal(const http::Response& head);

  /// After open().
  http::Stream& stream() { return *stream_; }
  /// Where the request went at last.
  const http::Place& place() const { return trail_->last(); }
  std::optional<base::Endpoint> peer() const { return stream_ ? stream_->peer() : std::nullopt; }
  std::size_t redirects() const { return trail_ ? trail_->redirects() : 0; }

  /// Ends all at once.
  void stop();

 private:
  base::Result<void> authorize(http::Request& request) const;

  boost::asio::any_io_executor executor_;
  const MasterConfig& config_;
  std::vector<base::Endpoint> trusted_;
  std::optional<http::RedirectTrail> trail_;
  std::string method_;
  std::unique_ptr<http::Stream> stream_;
  bool stopped_ = false;
};

/// The origin of a master.
http::Origin origin_of(const base::Endpoint& master, bool tls);

}  // namespace viaduct::mesos
