#include "dns/tcp_framer.h"

#include <algorithm>
#include <cassert>
#include <cstring>

#include "dns/message.h"

namespace viaduct::dns {
namespace {

constexpr std::size_t kLengthOctets = 2;
constexpr std::size_t kFirstRoomOctets = 1024;

}  // namespace

std::span<std::uint8_t> TcpFramer::prepare() {
  if (begin_ != 0) {
    std::memmove(octets_.data(), octets_.data() + begin_, end_ - begin_);
    end_ -= begin_;
    begin_ = 0;
  }
  if (end_ == octets_.size())
    octets_.resize(
        std::clamp(octets_.size() * 2, kFirstRoomOctets, kLengthOctets + kMaxTcpQueryOctets));
  return std::span(octets_).subspan(end_);
}

void TcpFramer::commit(std::size_t octets) {
  assert(octets <= octets_.size() - end_);
  end_ += octets;
}

std::optional<std::span<const std::uint8_t>> TcpFramer::next() {
  if (broken_ || end_ - begin_ < kLengthOctets) return std::nullopt;
  const std::size_t length = read16(&octets_[begin_]);
  if (length < kHeaderOctets || length > kMaxTcpQueryOctets) {
    broken_ = true;
    return std::nullopt;
  }
  if (end_ - begin_ - kLengthOctets < length) return std::nullopt;
  const std::span<const std::uint8_t> message{&octets_[begin_ + kLengthOctets], length};
  begin_ += kLengthOctets + length;
  return message;
}

}  // namespace viaduct::dns
