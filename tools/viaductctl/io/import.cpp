#include "tools/viaductctl/io/import.h"

#include <iostream>
#include <string>

#include "base/io/file.h"
#include "tools/viaductctl/import_mesos_dns.h"
#include "tools/viaductctl/options.h"

namespace viaduct::ctl {

int run_import(const std::string& path) {
  const auto text = base::read_file(path == "-" ? "/dev/stdin" : path, kMaxMesosDnsConfigBytes);
  if (!text) {
    std::cerr << "viaductctl: " << text.error().message() << "\n";
    return kFailure;
  }
  const ImportedConfig imported = import_mesos_dns(*text);
  for (const std::string& mistake : imported.mistakes)
    std::cerr << "viaductctl: " << path << ": " << mistake << "\n";
  if (!imported.mistakes.empty()) return kFailure;
  std::cout << imported.toml << std::flush;
  return kSuccess;
}

}  // namespace viaduct::ctl
