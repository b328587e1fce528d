Feature: What virtual time does not carry

  Scenario: ERR_VIRTUAL_ADDRESS, a bot elsewhere
    Given the bot under test at "sip:bot@192.0.2.1"
    When the caller dials the bot

  Scenario: ERR_VIRTUAL_TLS, SIP over TLS
    Given the bot under test at "sips:bot@127.0.0.1:5061"
    When the caller dials the bot
