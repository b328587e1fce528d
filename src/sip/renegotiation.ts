/** How a session is changed or refreshed. */
export interface Renegotiation {
  /** UPDATE needs no ACK, and works in early dialogs (RFC 3311). Default INVITE. */
  readonly method?: "INVITE" | "UPDATE";
  /** False: only the dialog is refreshed, by UPDATE; media stay. Default true. */
  readonly withOffer?: boolean;
}
