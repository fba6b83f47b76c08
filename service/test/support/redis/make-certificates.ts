import { execFile } from 'node:child_process';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

export interface CertificateFiles {
  readonly folder: string;
  readonly caFile: string;
  /** Content of `caFile`. */
  readonly ca: string;
  readonly serverCertFile: string;
  readonly serverKeyFile: string;
  /** For a client that has to show who it is. */
  readonly clientCertFile: string;
  readonly clientKeyFile: string;
}

/**
 * Makes a certificate authority of its own, and a server's and a client's certificate that it signed, all for two days.
 * `names` are the subjectAltNames of the server: by default those under which it is reached here.
 */
export async function makeCertificates(
  folder: string,
  names: readonly string[] = ['IP:127.0.0.1', 'DNS:localhost'],
): Promise<CertificateFiles> {
  await mkdir(folder, { recursive: true });
  const path = (name: string) => join(folder, name);
  const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  await openssl(
    'req',
    '-x509',
    ...newKey,
    ...subject('CA'),
    '-days',
    '2',
    '-keyout',
    path('ca.key'),
    '-out',
    path('ca.pem'),
  );
  const ca = ['-CA', path('ca.pem'), '-CAkey', path('ca.key'), '-days', '2'];
  const sign = async (name: string, serial: number, extension: string) => {
    await writeFile(path(`${name}.ext`), extension);
    await openssl('req', ...newKey, ...subject(name), '-keyout', path(`${name}.key`), '-out', path(`${name}.csr`));
    const request = ['-req', '-in', path(`${name}.csr`), '-set_serial', String(serial)];
    await openssl('x509', ...request, ...ca, '-extfile', path(`${name}.ext`), '-out', path(`${name}.pem`));
  };
  await sign('server', 2, `subjectAltName=${names.join(',')}`);
  await sign('client', 3, 'extendedKeyUsage=clientAuth');
  return {
    folder,
    caFile: path('ca.pem'),
    ca: await readFile(path('ca.pem'), 'utf8'),
    serverCertFile: path('server.pem'),
    serverKeyFile: path('server.key'),
    clientCertFile: path('client.pem'),
    clientKeyFile: path('client.key'),
  };
}

const subject = (name: string) => ['-subj', `/O=Socketfleet tests/CN=${name}`];

async function openssl(...args: string[]): Promise<void> {
  await run('openssl', args).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') throw new Error('Redis with TLS needs the openssl command (apt-get install openssl)');
    throw error;
  });
}
