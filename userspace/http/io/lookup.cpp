#include "http/io/lookup.h"

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <optional>

namespace viaduct::http {
namespace {

namespace asio = boost::asio;
using boost::system::error_code;

base::Address to_address(const asio::ip::address& address) {
  if (address.is_v4()) return base::Address::v4(address.to_v4().to_bytes());
  return base::Address::v6(address.to_v6().to_bytes());
}

}  // namespace

struct Lookup::Impl {
  explicit Impl(const asio::any_io_executor& executor) : resolver(executor), done(executor) {}

  asio::ip::tcp::resolver resolver;
  asio::steady_timer done;  ///< never expires: cancelled when there is something to tell
  std::optional<error_code> code;
  std::vector<base::Address> addresses;
  bool stopped = false;
};

Lookup::Lookup(asio::any_io_executor executor) : impl_(std::make_shared<Impl>(executor)) {}

Lookup::~Lookup() { stop(); }

void Lookup::stop() {
  impl_->stopped = true;
  impl_->resolver.cancel();
  impl_->done.cancel();
}

asio::awaitable<base::Result<std::vector<base::Address>>> Lookup::resolve(std::string host) {
  const auto impl = impl_;
  if (const auto literal = base::Address::parse(host))
    co_return std::vector<base::Address>{*literal};
  impl->code.reset();
  impl->addresses.clear();
  // The handler is all that waits for the thread.
  impl->resolver.async_resolve(
      host, "", [impl](error_code code, const asio::ip::tcp::resolver::results_type& results) {
        impl->code = code;
        for (const auto& result : results) {
          const base::Address address = to_address(result.endpoint().address());
          if (std::ranges::find(impl->addresses, address) == impl->addresses.end())
            impl->addresses.push_back(address);
        }
        impl->done.cancel();
      });
  impl->done.expires_at(asio::steady_timer::time_point::max());
  if (!impl->stopped) co_await impl->done.async_wait(asio::as_tuple(asio::use_awaitable));
  if (impl->stopped || !impl->code)
    co_return base::Error{asio::error::operation_aborted, std::move(host)};
  if (*impl->code) co_return base::Error{*impl->code, std::move(host)};
  co_return std::move(impl->addresses);
}

}  // namespace viaduct::http
