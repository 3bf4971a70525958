#include "dataplane/load.h"

#include <system_error>

namespace viaduct::dataplane {

std::string Load::last_error_text() const {
  return last_error == 0 ? std::string()
                         : std::generic_category().message(static_cast<int>(last_error));
}

}  // namespace viaduct::dataplane
