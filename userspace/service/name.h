#pragma once

#include <string>
#include <string_view>

namespace viaduct::service {

/// A DNS name from free text: fragments between dots are made labels, empty ones vanish.
/// A-Z become a-z, `-` and `_` after the first letter or digit become `-`, every other octet is
/// removed; a label ends at 63 characters and never with `-`. May return "".
/// "/mygroup/My_App-" gives "mygroupmy-app"; "..a..b." gives "a.b".
std::string sanitise_name(std::string_view text);

/// The same for one label: a dot counts as `-`. "myapp.mygroup" gives "myapp-mygroup".
std::string sanitise_label(std::string_view text);

}  // namespace viaduct::service
