#include "zookeeper/io/reading.h"

#include <zookeeper/zookeeper.h>

#include <algorithm>
#include <memory>
#include <utility>

#include "zookeeper/limits.h"

namespace viaduct::zookeeper {

/// Which reading and which of its nodes an answer is for.
struct Reading::Pending {
  Reading* reading;
  std::uint64_t number;
  std::size_t node;

  bool current() const { return reading->number_ == number && reading->state_ == State::under_way; }
};

void Reading::begin(const Handle& handle, base::Time now) {
  handle_ = handle.get();
  number_++;
  state_ = State::under_way;
  since_ = now;
  stale_ = false;
  incomplete_ = false;
  awaited_ = 0;
  error_.clear();
  contents_ = {};
  auto pending = std::make_unique<Pending>(Pending{this, number_, 0});
  const int result =
      zoo_awget_children2(handle_, path_.c_str(), on_watch, this, on_children, pending.get());
  if (result == ZOK)
    pending.release();  // NOLINT(bugprone-unused-return-value): the completion takes it
  else
    fail(result, "read the children of " + path_);
}

void Reading::forget() {
  number_++;
  state_ = State::idle;
}

void Reading::on_watch(_zhandle*, int type, int, const char*, void* context) {
  if (type != ZOO_SESSION_EVENT) static_cast<Reading*>(context)->stale_ = true;
}

void Reading::on_children(int result, const String_vector* names, const Stat*, const void* data) {
  const std::unique_ptr<const Pending> pending(static_cast<const Pending*>(data));
  if (pending->current()) pending->reading->take_children(result, names);
}

void Reading::on_exists(int result, const Stat*, const void* data) {
  const std::unique_ptr<const Pending> pending(static_cast<const Pending*>(data));
  if (pending->current()) pending->reading->take_exists(result);
}

void Reading::on_data(int result, const char* octets, int length, const Stat*, const void* data) {
  const std::unique_ptr<const Pending> pending(static_cast<const Pending*>(data));
  if (!pending->current()) return;
  Reading& reading = *pending->reading;
  reading.take_data(reading.contents_.nodes[pending->node], result, octets, length);
}

void Reading::take_children(int result, const String_vector* names) {
  if (take_loss(result)) return;
  if (result == ZNONODE) {
    auto pending = std::make_unique<Pending>(Pending{this, number_, 0});
    const int asked =
        zoo_awexists(handle_, path_.c_str(), on_watch, this, on_exists, pending.get());
    if (asked == ZOK)
      pending.release();  // NOLINT(bugprone-unused-return-value): the completion takes it
    else
      fail(asked, "watch for " + path_);
    return;
  }
  if (result != ZOK) return fail(result, "read the children of " + path_);
  const auto count = static_cast<std::size_t>(std::max(names->count, 0));
  if (count > kMaxChildren) {
    state_ = State::failed;
    error_ = path_ + " has " + std::to_string(count) + " children; at most " +
             std::to_string(kMaxChildren) + " are read";
    return;
  }
  contents_.exists = true;
  for (std::size_t i = 0; i < count; i++)
    if (!wanted_ || wanted_(names->data[i])) contents_.nodes.push_back({names->data[i], "", ""});
  std::sort(contents_.nodes.begin(), contents_.nodes.end(),
            [](const Node& a, const Node& b) { return a.name < b.name; });
  request_data();
}

void Reading::request_data() {
  for (std::size_t i = 0; i < contents_.nodes.size(); i++) {
    auto pending = std::make_unique<Pending>(Pending{this, number_, i});
    const std::string path = path_of(contents_.nodes[i].name);
    const int result = zoo_awget(handle_, path.c_str(), on_watch, this, on_data, pending.get());
    if (result != ZOK) return fail(result, "read " + path);
    pending.release();  // NOLINT(bugprone-unused-return-value): the completion takes it
    awaited_++;
  }
  if (awaited_ == 0) finish();
}

void Reading::take_exists(int result) {
  if (take_loss(result)) return;
  if (result == ZOK) {  // made since
    stale_ = true;
    state_ = State::lost;
    return;
  }
  if (result != ZNONODE) return fail(result, "watch for " + path_);
  finish();
}

void Reading::take_data(Node& node, int result, const char* octets, int length) {
  if (take_loss(result)) return;
  if (result == ZNONODE) {  // gone since; the path's watch says so too
    node.name.clear();
  } else if (result != ZOK) {
    node.unreadable = zerror(result);
    incomplete_ = true;
  } else if (length > 0 && static_cast<std::size_t>(length) > kMaxNodeBytes) {
    node.unreadable = "has " + std::to_string(length) + " octets; at most " +
                      std::to_string(kMaxNodeBytes) + " are read";
  } else if (length > 0) {
    node.data.assign(octets, static_cast<std::size_t>(length));
  }
  if (--awaited_ == 0) finish();
}

void Reading::finish() {
  std::erase_if(contents_.nodes, [](const Node& node) { return node.name.empty(); });
  state_ = State::done;
}

void Reading::fail(int result, std::string_view what) {
  if (take_loss(result)) return;
  state_ = State::failed;
  error_ = std::string(what) + ": " + zerror(result);
}

bool Reading::take_loss(int result) {
  switch (result) {
    case ZCONNECTIONLOSS:
    case ZOPERATIONTIMEOUT:
    case ZCLOSING:
    case ZSESSIONEXPIRED:
    case ZSESSIONMOVED:
    case ZINVALIDSTATE:
    case ZRUNTIMEINCONSISTENCY:
    case ZAUTHFAILED:
      state_ = State::lost;
      return true;
    default:
      return false;
  }
}

std::string Reading::path_of(const std::string& child) const {
  return (path_ == "/" ? "" : path_) + "/" + child;
}

}  // namespace viaduct::zookeeper
