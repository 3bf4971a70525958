#pragma once

#include <pthread.h>

#include <csignal>
#include <string>
#include <thread>
#include <utility>

namespace viaduct::dns {

/// Starts a thread that no signal is delivered to; the program's control thread takes them all.
/// @param name  at most 15 characters.
template <class Function>
std::jthread start_thread(const std::string& name, Function function) {
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  std::jthread thread(std::move(function));
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  pthread_setname_np(thread.native_handle(), name.c_str());
  return thread;
}

}  // namespace viaduct::dns
