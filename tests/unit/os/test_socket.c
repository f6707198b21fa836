/* os/socket: listening on IPv4, IPv6 and Unix sockets, accepting, and the text of addresses. */
#include "os/socket.h"

#include <setjmp.h>
#include <stdarg.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

static struct sockaddr_storage address_of(const char *ip, int port)
{
    struct sockaddr_storage a = {0};
    struct sockaddr_in *in4 = (struct sockaddr_in *)&a;
    struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)&a;
    if (inet_pton(AF_INET, ip, &in4->sin_addr) == 1) {
        in4->sin_family = AF_INET;
        in4->sin_port = htons((uint16_t)port);
    } else {
        assert_int_equal(inet_pton(AF_INET6, ip, &in6->sin6_addr), 1);
        in6->sin6_family = AF_INET6;
        in6->sin6_port = htons((uint16_t)port);
    }
    return a;
}

static int connect_to(const char *ip, int port)
{
    struct sockaddr_storage a = address_of(ip, port);
    int fd = socket(a.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    socklen_t len = a.ss_family == AF_INET ? sizeof(struct sockaddr_in) : sizeof(struct sockaddr_in6);
    assert_int_equal(connect(fd, (struct sockaddr *)&a, len), 0);
    return fd;
}

static void both_families_share_a_port(void **state)
{
    int fd4, fd6, conn, port, conn_port;
    char text[SOCKET_ADDRESS_MAX];
    struct err e = {0};
    assert_int_equal(socket_listen_tcp(S("*"), 0, &fd4, &e), RC_OK);
    struct sockaddr_storage own;
    socket_local(fd4, &own);
    socket_address_text(&own, text, &port);
    assert_string_equal(text, "0.0.0.0");
    assert_int_equal(socket_listen_tcp(S("::"), port, &fd6, &e), RC_OK);
    static const char *const ips[] = {"127.0.0.1", "::1"};
    for (size_t i = 0; i < 2; i++) {
        struct sockaddr_storage peer;
        int client = connect_to(ips[i], port);
        assert_int_equal(socket_accept(i ? fd6 : fd4, &conn, &peer), RC_OK);
        socket_address_text(&peer, text, NULL);
        assert_string_equal(text, ips[i]);
        socket_local(conn, &own);
        socket_address_text(&own, text, &conn_port);
        assert_string_equal(text, ips[i]);
        assert_int_equal(conn_port, port);
        assert_true(socket_is_loopback(&peer));
        assert_int_equal(fcntl(conn, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
        close(conn);
        close(client);
    }
    int taken;
    assert_int_equal(socket_listen_tcp(S("127.0.0.1"), port, &taken, &e), RC_PERM);
    assert_non_null(strstr(err_text(&e), "in use"));
    assert_int_equal(socket_listen_tcp(S("localhost"), 0, &taken, &e), RC_PERM);
    close(fd4);
    close(fd6);
}

static void accept_ends_when_the_socket_is_shut_down(void **state)
{
    int fd, conn;
    struct sockaddr_storage peer;
    assert_int_equal(socket_listen_tcp(S("127.0.0.1"), 0, &fd, NULL), RC_OK);
    shutdown(fd, SHUT_RDWR);
    assert_int_equal(socket_accept(fd, &conn, &peer), RC_GONE);
    close(fd);
}

static void unix_socket_has_its_mode_and_replaces_an_old_one(void **state)
{
    char dir[] = "/tmp/malle-socket-XXXXXX", path[64], text[SOCKET_ADDRESS_MAX];
    assert_non_null(mkdtemp(dir));
    snprintf(path, sizeof path, "%s/s", dir);
    for (int round = 0; round < 2; round++) {
        int fd, conn;
        struct stat st;
        struct sockaddr_storage peer;
        assert_int_equal(socket_listen_unix(path, 0660, &fd, NULL), RC_OK);
        assert_int_equal(stat(path, &st), 0);
        assert_int_equal(st.st_mode & 07777, 0660);
        struct sockaddr_un un = {.sun_family = AF_UNIX};
        snprintf(un.sun_path, sizeof un.sun_path, "%s", path);
        int client = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        assert_int_equal(connect(client, (struct sockaddr *)&un, sizeof un), 0);
        assert_int_equal(socket_accept(fd, &conn, &peer), RC_OK);
        socket_address_text(&peer, text, NULL);
        assert_string_equal(text, "local");
        close(conn);
        close(client);
        close(fd);
    }
    unlink(path);
    assert_int_equal(close(open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600)), 0);
    int fd;
    assert_int_equal(socket_listen_unix(path, 0600, &fd, NULL), RC_PERM); /* a file of somebody's */
    unlink(path);
    rmdir(dir);
}

/* Whoever may write the folder cannot have another file given away. */
static void only_a_socket_is_given_away(void **state)
{
    char dir[] = "/tmp/malle-socket-XXXXXX", path[64], other[64];
    struct err e = {0};
    struct stat st;
    int fd;
    assert_non_null(mkdtemp(dir));
    snprintf(path, sizeof path, "%s/s", dir);
    snprintf(other, sizeof other, "%s/o", dir);
    assert_int_equal(socket_give_unix(path, getuid(), getgid(), &e), RC_PERM);
    assert_int_equal(socket_listen_unix(path, 0660, &fd, NULL), RC_OK);
    assert_int_equal(symlink(path, other), 0);
    assert_int_equal(socket_give_unix(other, getuid(), getgid(), &e), RC_PERM);
    unlink(other);
    assert_int_equal(close(open(other, O_CREAT | O_WRONLY | O_CLOEXEC, 0600)), 0);
    assert_int_equal(socket_give_unix(other, getuid(), getgid(), &e), RC_PERM);
    assert_non_null(strstr(err_text(&e), "is no socket"));
    assert_int_equal(socket_give_unix(path, (uid_t)-1, getgid(), &e), RC_OK);
    if (getuid() == 0) {
        assert_int_equal(socket_give_unix(path, 12345, 23456, &e), RC_OK);
        assert_int_equal(stat(path, &st), 0);
        assert_true(st.st_uid == 12345 && st.st_gid == 23456 && (st.st_mode & 07777) == 0660);
    } else {
        assert_int_equal(socket_give_unix(path, 0, 0, &e), RC_PERM);
    }
    close(fd);
    unlink(path);
    unlink(other);
    rmdir(dir);
}

static void addresses_have_one_text_and_one_key(void **state)
{
    static const struct {
        const char *ip, *text, *same_client, *other_client;
        bool loopback;
    } rows[] = {
        {"192.0.2.1", "192.0.2.1", "::ffff:192.0.2.1", "192.0.2.2", false},
        {"::ffff:127.0.0.9", "127.0.0.9", "127.0.0.9", "127.0.0.1", true},
        {"2001:db8:1:2::1", "2001:db8:1:2::1", "2001:db8:1:2:ffff::9", "2001:db8:1:3::1", false},
        {"::1", "::1", "::1", "2001:db8::1", true},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct sockaddr_storage a = address_of(rows[i].ip, 993);
        struct sockaddr_storage same = address_of(rows[i].same_client, 1),
                                other = address_of(rows[i].other_client, 1);
        struct socket_client key, same_key, other_key;
        char text[SOCKET_ADDRESS_MAX];
        int port;
        socket_address_text(&a, text, &port);
        assert_string_equal(text, rows[i].text);
        assert_int_equal(port, 993);
        assert_int_equal(socket_is_loopback(&a), rows[i].loopback);
        socket_client_key(&a, &key);
        socket_client_key(&same, &same_key);
        socket_client_key(&other, &other_key);
        assert_memory_equal(&key, &same_key, sizeof key);
        assert_memory_not_equal(&key, &other_key, sizeof key);
    }
}

static void addresses_from_bytes(void **state)
{
    static const uint8_t v4[16] = {[10] = 0xff, [11] = 0xff, [12] = 192, [14] = 2, [15] = 7};
    static const uint8_t v6[16] = {0x20, 1, 0xd, 0xb8, [15] = 1};
    struct sockaddr_storage a;
    char text[SOCKET_ADDRESS_MAX];
    int port;
    socket_from_ip(v4, 4711, &a);
    socket_address_text(&a, text, &port);
    assert_string_equal(text, "192.0.2.7");
    assert_int_equal(port, 4711);
    assert_int_equal(a.ss_family, AF_INET);
    socket_from_ip(v6, 25, &a);
    socket_address_text(&a, text, &port);
    assert_string_equal(text, "2001:db8::1");
    assert_int_equal(port, 25);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(addresses_from_bytes),
        cmocka_unit_test(both_families_share_a_port),
        cmocka_unit_test(accept_ends_when_the_socket_is_shut_down),
        cmocka_unit_test(unix_socket_has_its_mode_and_replaces_an_old_one),
        cmocka_unit_test(only_a_socket_is_given_away),
        cmocka_unit_test(addresses_have_one_text_and_one_key),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
