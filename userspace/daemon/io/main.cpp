#include <CLI/CLI.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <cstdio>
#include <filesystem>
#include <iostream>

#include "base/io/file.h"
#include "base/io/log.h"
#include "config/help.h"
#include "config/parse.h"
#include "daemon/config.h"
#include "daemon/io/daemon.h"

namespace {

using namespace viaduct;

constexpr const char* kDefaultFile = "/etc/viaduct/viaduct.toml";

struct Options {
  std::string file;
  std::vector<std::string> overrides;
  bool check = false;
  bool help = false;
};

/// The configuration, or null after every mistake was printed.
std::optional<config::Values> read_config(const Options& options) {
  std::string text;
  const std::string file = options.file.empty() ? kDefaultFile : options.file;
  if (!options.file.empty() || std::filesystem::exists(file)) {
    auto read = base::read_file(file, config::kMaxFileBytes);
    if (!read) {
      std::cerr << "viaductd: " << read.error().message() << "\n";
      return std::nullopt;
    }
    text = std::move(*read);
  }
  auto values = config::parse(text, file, daemon::schema(), options.overrides);
  if (values) return std::move(*values);
  std::cerr << values.error().to_string();
  return std::nullopt;
}

void configure_log(const daemon::Config& config) {
  const std::string& word = config.log_level;
  const log::Level level = word == "debug"   ? log::Level::debug
                           : word == "warn"  ? log::Level::warn
                           : word == "error" ? log::Level::error
                                             : log::Level::info;
  log::configure(level, config.log_format == "json" ? log::Format::json : log::Format::logfmt);
}

int run(const daemon::Config& config) {
  configure_log(config);
  boost::asio::io_context context;
  daemon::Daemon daemon(context, config);
  if (auto started = daemon.start(); !started) {
    log::error("start_failed", {{"error", started.error().message()}});
    return 1;
  }
  boost::asio::signal_set signals(context, SIGINT, SIGTERM);
  signals.async_wait([&](const boost::system::error_code& failed, int) {
    if (failed) return;
    daemon.stop();
    context.stop();
  });
  context.run();
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("viaductd: virtual IPs and names for containers, in the kernel.");
  Options options;
  app.add_option(
      "--config", options.file,
      "configuration file; default " + std::string(kDefaultFile) + ", which may be absent");
  app.add_option("--set", options.overrides, "key=value, wins over the file; may be repeated")
      ->allow_extra_args(false);
  app.add_flag("--check-config", options.check,
               "report every mistake of the configuration and end");
  app.add_flag("--help-config", options.help, "print every key with its default and end");
  app.set_version_flag("--version", VIADUCT_VERSION);
  CLI11_PARSE(app, argc, argv);

  if (options.help) {
    std::cout << config::help(daemon::schema());
    return 0;
  }
  const auto values = read_config(options);
  if (!values) return 2;
  if (options.check) {
    std::cout << "the configuration is fine\n";
    return 0;
  }
  return run(daemon::from(*values));
}
