#include "tests/support/certificate.h"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <unistd.h>

#include <cstdio>
#include <stdexcept>

namespace viaduct::test {
namespace {

using Key = std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)>;
using Certificate = std::unique_ptr<X509, decltype(&X509_free)>;
using File = std::unique_ptr<std::FILE, decltype(&std::fclose)>;

void need(bool holds, const char* what) {
  if (!holds) throw std::runtime_error(what);
}

File open(const std::string& path) {
  File file(std::fopen(path.c_str(), "w"), &std::fclose);
  need(file != nullptr, "a file for PEM");
  return file;
}

void add_extension(X509* certificate, X509* issuer, int name, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx_nodb(&context);
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, &context, name, value.c_str());
  need(extension != nullptr, "an extension");
  X509_add_ext(certificate, extension, -1);
  X509_EXTENSION_free(extension);
}

Certificate make(EVP_PKEY* key, const std::string& subject, long serial, long from, long until) {
  Certificate certificate(X509_new(), &X509_free);
  X509_set_version(certificate.get(), X509_VERSION_3);
  ASN1_INTEGER_set(X509_get_serialNumber(certificate.get()), serial);
  X509_gmtime_adj(X509_getm_notBefore(certificate.get()), from);
  X509_gmtime_adj(X509_getm_notAfter(certificate.get()), until);
  X509_set_pubkey(certificate.get(), key);
  X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate.get()), "CN", MBSTRING_ASC,
                             reinterpret_cast<const unsigned char*>(subject.c_str()), -1, -1, 0);
  return certificate;
}

}  // namespace

struct Authority::Impl {
  Key key{EVP_EC_gen("P-256"), &EVP_PKEY_free};
  Certificate certificate{nullptr, &X509_free};
  long serial = 1;
};

Authority::Authority(const std::string& name)
    : folder_(std::filesystem::temp_directory_path() /
              ("viaduct-" + name + "-" + std::to_string(::getpid()))),
      impl_(std::make_unique<Impl>()) {
  std::filesystem::create_directories(folder_);
  impl_->certificate = make(impl_->key.get(), name, 1, -86400, 86400);
  X509* certificate = impl_->certificate.get();
  X509_set_issuer_name(certificate, X509_get_subject_name(certificate));
  add_extension(certificate, certificate, NID_basic_constraints, "critical,CA:TRUE");
  add_extension(certificate, certificate, NID_key_usage, "critical,keyCertSign,cRLSign");
  add_extension(certificate, certificate, NID_subject_key_identifier, "hash");
  need(X509_sign(certificate, impl_->key.get(), EVP_sha256()) > 0, "a signature");
  PEM_write_X509(open(ca()).get(), certificate);
}

Authority::~Authority() {
  std::error_code ignored;
  std::filesystem::remove_all(folder_, ignored);
}

std::string Authority::ca() const { return folder_ / "ca.pem"; }

Issued Authority::issue(const std::string& file, const std::string& names, long from_seconds,
                        long until_seconds) {
  const Issued issued{folder_ / (file + ".pem"), folder_ / (file + ".key")};
  const Key key(EVP_EC_gen("P-256"), &EVP_PKEY_free);
  const Certificate certificate =
      make(key.get(), file, ++impl_->serial, from_seconds, until_seconds);
  X509_set_issuer_name(certificate.get(), X509_get_subject_name(impl_->certificate.get()));
  add_extension(certificate.get(), impl_->certificate.get(), NID_subject_alt_name, names);
  need(X509_sign(certificate.get(), impl_->key.get(), EVP_sha256()) > 0, "a signature");
  PEM_write_X509(open(issued.certificate).get(), certificate.get());
  PEM_write_PrivateKey(open(issued.key).get(), key.get(), nullptr, nullptr, 0, nullptr, nullptr);
  return issued;
}

}  // namespace viaduct::test
