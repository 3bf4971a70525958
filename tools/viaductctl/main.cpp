#include <bpf/libbpf.h>

#include "tools/viaductctl/commands.h"

int main(int argc, char** argv) {
  // What libbpf would print is in the errors that the commands show.
  libbpf_set_print(nullptr);
  return viaduct::ctl::run(argc, argv);
}
