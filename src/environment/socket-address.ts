/** A numeric IP address and a port. */
export interface SocketAddress {
  readonly address: string;
  readonly port: number;
}
