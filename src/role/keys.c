/* Certificate and key pairs as bytes. */
#include "role/keys.h"

#include "os/ipc.h"

void keys_put(struct buf *b, const struct tls_pem *pairs, size_t n, const struct keys_ca *ca)
{
    ipc_put_u32(b, (uint32_t)n);
    for (size_t i = 0; i < n; i++) {
        ipc_put_str(b, pairs[i].name);
        ipc_put_str(b, pairs[i].chain);
        ipc_put_str(b, pairs[i].key);
    }
    ipc_put_str(b, ca->smtp);
    ipc_put_str(b, ca->login);
}

enum rc keys_get(str content, struct tls_pem *ret_pairs, size_t max, size_t *ret_n, struct keys_ca *ret_ca)
{
    struct ipc_msg m = {.fields = content};
    uint32_t n = ipc_get_u32(&m);
    if (n > max)
        return RC_INVALID;
    for (uint32_t i = 0; i < n; i++) {
        ret_pairs[i].name = ipc_get_str(&m, IPC_MAX);
        ret_pairs[i].chain = ipc_get_str(&m, IPC_MAX);
        ret_pairs[i].key = ipc_get_str(&m, IPC_MAX);
    }
    struct keys_ca ca = {.smtp = ipc_get_str(&m, KEYS_BYTES_MAX)};
    ca.login = ipc_get_str(&m, KEYS_BYTES_MAX);
    if (ipc_end(&m) != RC_OK)
        return RC_INVALID;
    *ret_ca = ca;
    *ret_n = n;
    return RC_OK;
}
