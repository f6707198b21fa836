"""A TLS client on libssl itself, because Python's ssl module gives neither tls-exporter (RFC 9266) nor a way to choose
the hash of tls-server-end-point (RFC 5929). Only what a test of channel binding needs."""
import ctypes
import hashlib

ssl = ctypes.CDLL('libssl.so.3')
crypto = ctypes.CDLL('libcrypto.so.3')
for function in (ssl.TLS_client_method, ssl.SSL_CTX_new, ssl.SSL_new, ssl.SSL_get1_peer_certificate):
    function.restype = ctypes.c_void_p
TLS_1_2, TLS_1_3 = 0x0303, 0x0304
SSL_CTRL_SET_MAX_PROTO_VERSION = 124


class TlsSocket:
    def __init__(self, sock, version=TLS_1_3):
        """Takes a connected socket through the handshake, with this version at most."""
        sock.settimeout(None)  # libssl wants a blocking descriptor
        self.sock = sock
        self.context = ctypes.c_void_p(ssl.SSL_CTX_new(ctypes.c_void_p(ssl.TLS_client_method())))
        ssl.SSL_CTX_ctrl(self.context, SSL_CTRL_SET_MAX_PROTO_VERSION, ctypes.c_long(version), None)
        self.ssl = ctypes.c_void_p(ssl.SSL_new(self.context))
        ssl.SSL_set_fd(self.ssl, sock.fileno())
        assert ssl.SSL_connect(self.ssl) == 1, 'TLS handshake failed'
        assert ssl.SSL_version(self.ssl) == version

    def recv(self, size):
        room = ctypes.create_string_buffer(size)
        n = ssl.SSL_read(self.ssl, room, size)
        return room.raw[:n] if n > 0 else b''

    def sendall(self, data):
        assert ssl.SSL_write(self.ssl, data, len(data)) == len(data)

    def exporter(self):
        """tls-exporter: RFC 9266 §2"""
        label, out = b'EXPORTER-Channel-Binding', ctypes.create_string_buffer(32)
        assert ssl.SSL_export_keying_material(self.ssl, out, ctypes.c_size_t(32), label, ctypes.c_size_t(len(label)),
                                              b'', ctypes.c_size_t(0), 1) == 1
        return out.raw

    def end_point(self):
        """tls-server-end-point: RFC 5929 §4.1; the test's certificates are signed with SHA-256"""
        certificate = ctypes.c_void_p(ssl.SSL_get1_peer_certificate(self.ssl))
        size = crypto.i2d_X509(certificate, None)
        out = ctypes.create_string_buffer(size)
        crypto.i2d_X509(certificate, ctypes.byref(ctypes.cast(out, ctypes.c_void_p)))
        crypto.X509_free(certificate)
        return hashlib.sha256(out.raw).digest()

    def close(self):
        ssl.SSL_free(self.ssl)
        ssl.SSL_CTX_free(self.context)
        self.sock.close()
