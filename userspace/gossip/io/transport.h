#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "base/address.h"
#include "base/result.h"
#include "gossip/errors.h"
#include "gossip/keyring.h"
#include "gossip/message.h"
#include "gossip/wire.h"

namespace boost::asio {
class io_context;
}

namespace viaduct::gossip {

/// What peers may take of us. Over a limit a connection is closed.
struct TransportLimits {
  std::size_t inbound_streams = 128;
  std::size_t inbound_streams_per_source = 32;  ///< of one address
  std::size_t outbound_streams = 128;
  std::size_t messages_per_stream = 4096;
  std::size_t held_octets = 128U << 20;  ///< of messages on streams that are not whole, together
  /// For each: connecting, receiving one message (the wait for it included), sending one.
  std::chrono::milliseconds message_timeout{10'000};
};

struct TransportOptions {
  std::vector<base::Endpoint> listen;  ///< at most one a family; port 0: the system chooses
  WireOptions wire;
  TransportLimits limits;
  int receive_buffer_bytes = 2 << 20;  ///< asked for; less without CAP_NET_ADMIN
};

struct TransportHandlers {
  /// What a datagram held.
  /// @param from  where answers without a better address go.
  std::function<void(std::span<Message>, const base::Endpoint& from)> packet;
  /// A message on a stream that a peer opened.
  /// @return the answer; absent: none, the peer may say more.
  std::function<std::optional<StreamMessage>(StreamMessage, const base::Endpoint& from)> stream;
};

struct TransportStats {
  std::uint64_t packets_in = 0;
  std::uint64_t packets_out = 0;
  std::uint64_t packet_bytes_in = 0;
  std::uint64_t packet_bytes_out = 0;
  ErrcCounts packet_drops;                 ///< datagrams or parts of them that were not read
  std::uint64_t packets_lost_in = 0;       ///< by the kernel: the receive buffer was full
  std::uint64_t packet_send_failures = 0;  ///< too large, no route, the send buffer full

  std::uint64_t streams_in = 0;
  std::uint64_t streams_out = 0;
  std::uint64_t streams_open = 0;  ///< now
  std::uint64_t stream_bytes_in = 0;
  std::uint64_t stream_bytes_out = 0;
  std::uint64_t streams_over_limit = 0;  ///< closed at once
  std::uint64_t stream_timeouts = 0;
  std::uint64_t stream_failures = 0;  ///< connecting, reading or writing, timeouts included
  ErrcCounts stream_drops;            ///< streams that were not read on
  ErrcCounts member_drops;            ///< members left out of push-pulls
  std::uint64_t accept_failures = 0;  ///< e.g. no file descriptors left
};

/// The sockets of gossip: datagrams and streams on one port, sealed and opened. Runs on the thread
/// of its io_context.
class Transport {
 public:
  /// What a dialler says next on a stream.
  /// @param message  what the peer said, or why there will be no more: its error is asio's eof when
  ///     the peer closed the stream between messages.
  /// @return the answer; absent, or after an error: the stream is closed.
  using Next = std::function<std::optional<StreamMessage>(base::Result<StreamMessage> message)>;

  /// @param context, keyring  outlive the transport; keys may change at any time.
  Transport(boost::asio::io_context& context, TransportOptions options, const Keyring& keyring,
            TransportHandlers handlers);
  /// Closes all; no handler is called any more.
  ~Transport();
  Transport(const Transport&) = delete;
  Transport& operator=(const Transport&) = delete;

  /// Opens the sockets; either all are open or none.
  /// @errors the system's code
  base::Result<void> start();
  /// Where it listens, with real ports.
  std::vector<base::Endpoint> listening() const;

  /// Sends messages in as few datagrams as they fit in. A failure is only counted.
  /// @param with_crc  for peers that are known to check it.
  void send(const base::Endpoint& to, std::span<const MessagePtr> messages, bool with_crc);

  /// Opens a stream, says `first`, then what `next` answers to each message, until it has no answer
  /// or there was an error. `next` is never called from within this call.
  /// @errors (to `next`) too_large; the system's code; timed_out; what a StreamReader finds
  void exchange(const base::Endpoint& to, StreamMessage first, Next next);

  /// From the next datagram and message on.
  void set_wire(WireOptions wire);

  TransportStats stats() const;

  struct State;  ///< transport_state.h

 private:
  std::shared_ptr<State> state_;
};

}  // namespace viaduct::gossip
