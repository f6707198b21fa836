"""A CA for a test, and servers' certificates by it."""
import ssl
import subprocess

KEY = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes']


class Authority:
    """certificate is the file to trust."""
    def __init__(self, folder):
        self.folder, self.certificate = folder, folder / 'ca.pem'
        self.openssl('req', '-x509', *KEY, '-days', '2', '-subj', '/CN=test CA', '-keyout', folder / 'ca.key', '-out', self.certificate)

    @staticmethod
    def openssl(*arguments):
        subprocess.run(['openssl', *arguments], check=True, capture_output=True)

    def pair(self, *names):
        """The files of a certificate for these names and of its key."""
        base = self.folder / names[0]
        extension = base.with_suffix('.ext')
        extension.write_text('subjectAltName=' + ','.join(f'DNS:{name}' for name in names))
        self.openssl('req', '-new', *KEY, '-subj', '/CN=' + names[0][:60], '-keyout', base.with_suffix('.key'), '-out', base.with_suffix('.csr'))
        self.openssl('x509', '-req', '-in', base.with_suffix('.csr'), '-CA', self.certificate, '-CAkey', self.folder / 'ca.key',
                     '-CAcreateserial', '-days', '2', '-extfile', extension, '-out', base.with_suffix('.crt'))
        return base.with_suffix('.crt'), base.with_suffix('.key')

    def context(self, *names):
        """An SSLContext of a server with such a certificate."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*self.pair(*names))
        return context
