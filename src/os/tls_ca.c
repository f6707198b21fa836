/* The CA certificates that servers are verified with, read whole at the start.
 *
 * OpenSSL's own lookup opens the folder's files when it needs them, which no role can any more behind its
 * sandbox. */
#include "os/file.h"
#include "os/tls_impl.h"

#include <dirent.h>
#include <openssl/err.h>
#include <openssl/x509.h>

enum { FOLDER_FILES_MAX = 10000, FOLDER_PATH_MAX = 4096, CA_FILE_MAX = 4 << 20 };

/* "5ad8a5d6.0": the links that c_rehash makes, eight hexadecimal digits of the subject's hash and a number.
 */
static bool is_hash_name(str name)
{
    if (name.n < 10 || name.p[8] != '.')
        return false;
    for (size_t i = 0; i < name.n; i++) {
        char c = ascii_lower(name.p[i]);
        if (i != 8 && !ascii_digit(c) && (i > 8 || c < 'a' || c > 'f'))
            return false;
    }
    return true;
}

/* Calls fn for each file of such a name. */
static void each_of_folder(const char *folder, void (*fn)(void *ctx, const char *path), void *ctx)
{
    DIR *dir = opendir(folder);
    if (!dir)
        return;
    struct dirent *entry;
    for (size_t n = 0; n < FOLDER_FILES_MAX && (entry = readdir(dir)); n++) {
        char path[FOLDER_PATH_MAX];
        if (!is_hash_name(str_c(entry->d_name)))
            continue;
        int length = snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
        if (length > 0 && (size_t)length < sizeof path)
            fn(ctx, path);
    }
    closedir(dir);
}

static void load_one(void *ctx, const char *path)
{
    (void)X509_STORE_load_file(ctx, path); /* a dangling link is nobody's concern here */
}

static void collect_one(void *ctx, const char *path)
{
    AUTO(buf_deinit) struct buf one = BUF_INIT(CA_FILE_MAX);
    if (file_read(path, &one) != RC_OK)
        return; /* as above */
    buf_puts(ctx, buf_str(&one));
    buf_putc(ctx, '\n');
}

enum rc tls_ca_collect(const char *file, const char *folder, struct buf *out, struct err *e)
{
    AUTO(buf_deinit) struct buf one = BUF_INIT(CA_FILE_MAX);
    if (file[0] && file_read(file, &one) != RC_OK)
        return err_set(e, RC_PERM, 0, NULL, "CA file %s cannot be read", file);
    buf_puts(out, buf_str(&one));
    buf_putc(out, '\n');
    if (folder[0])
        each_of_folder(folder, collect_one, out);
    return out->overflow ? err_set(e, RC_PERM, 0, NULL, "the CA certificates are too large together") : RC_OK;
}

static const char *from_environment(const char *name, const char *standard)
{
    const char *value = secure_getenv(name);
    return value && *value ? value : standard;
}

enum rc tls_ca_load(X509_STORE *store, str file, struct err *e)
{
    enum rc rc = RC_OK;
    if (file.n == 0) {
        (void)X509_STORE_load_file(
            store, from_environment(X509_get_default_cert_file_env(), X509_get_default_cert_file()));
        each_of_folder(from_environment(X509_get_default_cert_dir_env(), X509_get_default_cert_dir()),
                       load_one, store);
    } else {
        AUTO(str_freep) char *path = str_dup(file);
        char text[256];
        if (X509_STORE_load_file(store, path) != 1)
            rc = err_set(e, RC_PERM, 0, NULL, "CA file " STR_FMT " cannot be used: %s", STR_ARG(file),
                         tls_error_text(text));
    }
    ERR_clear_error();
    return rc;
}
