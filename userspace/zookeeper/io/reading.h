#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "base/time.h"
#include "zookeeper/io/handle.h"
#include "zookeeper/node.h"

struct Stat;
struct String_vector;

namespace viaduct::zookeeper {

/// Reads a path and its children, one reading at a time, and leaves watches on all that it read.
/// Its owner keeps it in place while a handle lives that it was begun with.
class Reading {
 public:
  enum class State {
    idle,       ///< nothing was begun, or the answer was taken
    under_way,  ///< answers are awaited
    done,       ///< contents() has the answer
    lost,       ///< the connection ended first
    failed,     ///< error() says why there is none
  };

  Reading(std::string path, std::function<bool(std::string_view)> wanted)
      : path_(std::move(path)), wanted_(std::move(wanted)) {}

  /// Forgets the one before, and begins.
  void begin(const Handle& handle, base::Time now);
  /// The answers of a reading under way are not waited for any more.
  void forget();

  State state() const { return state_; }
  base::Time since() const { return since_; }
  /// Whether something has changed since it began; reset by begin().
  bool stale() const { return stale_; }
  void changed() { stale_ = true; }
  /// Whether a child could not be read, without a watch that tells of better times.
  bool incomplete() const { return incomplete_; }

  const std::string& error() const { return error_; }
  const Contents& contents() const { return contents_; }

 private:
  struct Pending;
  static void on_watch(_zhandle*, int type, int state, const char* path, void* context);
  static void on_children(int result, const String_vector* names, const Stat*, const void* data);
  static void on_exists(int result, const Stat*, const void* data);
  static void on_data(int result, const char* octets, int length, const Stat*, const void* data);

  void take_children(int result, const String_vector* names);
  void take_exists(int result);
  void take_data(Node& node, int result, const char* octets, int length);
  void request_data();
  void finish();
  void fail(int result, std::string_view what);
  /// @return whether a result says that the connection is gone.
  bool take_loss(int result);
  std::string path_of(const std::string& child) const;

  std::string path_;
  std::function<bool(std::string_view)> wanted_;
  _zhandle* handle_ = nullptr;

  State state_ = State::idle;
  std::uint64_t number_ = 0;  // of this reading, so that late answers to others are told apart
  base::Time since_;
  bool stale_ = false;
  bool incomplete_ = false;
  std::size_t awaited_ = 0;
  std::string error_;
  Contents contents_;
};

}  // namespace viaduct::zookeeper
