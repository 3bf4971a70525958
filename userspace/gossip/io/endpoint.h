#pragma once

#include <algorithm>
#include <array>
#include <boost/asio/ip/address.hpp>
#include <boost/asio/ip/basic_endpoint.hpp>

#include "base/address.h"

namespace viaduct::gossip {

template <class Protocol>
base::Endpoint from_asio(const boost::asio::ip::basic_endpoint<Protocol>& endpoint) {
  const boost::asio::ip::address address = endpoint.address();
  if (address.is_v4()) return {base::Address::v4(address.to_v4().to_bytes()), endpoint.port()};
  return {base::Address::v6(address.to_v6().to_bytes()), endpoint.port()};
}

template <class Protocol>
boost::asio::ip::basic_endpoint<Protocol> to_asio(const base::Endpoint& endpoint) {
  const auto octets = endpoint.address.octets();
  if (endpoint.address.is_v4()) {
    boost::asio::ip::address_v4::bytes_type bytes;
    std::copy(octets.begin(), octets.end(), bytes.begin());
    return {boost::asio::ip::address_v4(bytes), endpoint.port};
  }
  boost::asio::ip::address_v6::bytes_type bytes;
  std::copy(octets.begin(), octets.end(), bytes.begin());
  return {boost::asio::ip::address_v6(bytes), endpoint.port};
}

}  // namespace viaduct::gossip
