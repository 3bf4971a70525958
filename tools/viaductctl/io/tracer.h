#pragma once

#include <functional>
#include <string>

#include "base/io/fd.h"
#include "base/result.h"
#include "tools/viaductctl/trace.h"

namespace viaduct::ctl {

/// Takes events from the programs. They write while this process says so every second, so that one
/// that was killed costs them nothing after three.
class Tracer {
 public:
  /// @errors EBUSY: another trace runs, the context says which process; else the system's code.
  static base::Result<Tracer> start(const std::string& bpffs, const TraceFilter& filter);

  Tracer(Tracer&&) noexcept;
  Tracer& operator=(Tracer&&) = delete;
  /// Stops the programs from writing.
  ~Tracer();

  /// Calls `see` for every event until it returns false or the process is asked to end (SIGINT,
  /// SIGTERM).
  base::Result<void> run(const std::function<bool(const json::object&)>& see);

  TraceSummary summary() const;

 private:
  Tracer(base::Fd lock, base::Fd events, vd_trace* control)
      : lock_(std::move(lock)), events_(std::move(events)), control_(control) {}
  void renew();

  base::Fd lock_;
  base::Fd events_;
  vd_trace* control_;  ///< mapped; null: moved away
  std::uint64_t shown_ = 0;
};

}  // namespace viaduct::ctl
