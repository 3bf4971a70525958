#include "service/mesos_row.h"

#include "base/errors.h"
#include "service/task_row.h"

namespace viaduct::service {
namespace {

base::Error over(const char* what, std::size_t found, std::size_t limit, const char* unit) {
  return {base::Errc::too_large, std::string("its ") + what + " has " + std::to_string(found) +
                                     unit + "; at most " + std::to_string(limit) + " are allowed"};
}

}  // namespace

std::string_view to_string(MesosRole role) {
  switch (role) {
    case MesosRole::framework:
      return "framework";
    case MesosRole::agent:
      return "agent";
    case MesosRole::master:
      return "master";
  }
  return "unknown";
}

base::Result<void> check_mesos_row(const MesosRow& row, AddressRule rule) {
  if (row.id.size() > kMaxMesosTextOctets)
    return over("id", row.id.size(), kMaxMesosTextOctets, " octets");
  if (row.name.size() > kMaxMesosTextOctets)
    return over("name", row.name.size(), kMaxMesosTextOctets, " octets");
  if (row.addresses.size() > kMaxMesosAddresses)
    return over("address list", row.addresses.size(), kMaxMesosAddresses, " elements");
  if (row.id.empty()) return base::Error{base::Errc::bad_format, "it has no id"};
  if (row.role == MesosRole::framework && row.name.empty())
    return base::Error{base::Errc::bad_format, "it has no name"};
  if (row.role == MesosRole::master && row.addresses.empty())
    return base::Error{base::Errc::bad_format, "it has no address"};
  for (const base::Address& address : row.addresses)
    if (!rule(address))
      return base::Error{base::Errc::bad_format,
                         "its address " + address.to_string() + " is none that others can reach"};
  return {};
}

}  // namespace viaduct::service
