Feature: Headers that cannot be asked for
  Each scenario is named for the code that it must end with.

  Background:
    Given a bot that plays the script "reception" and lets the caller speak first

  Scenario: ERR_ADDRESS_MALFORMED
    Given the caller calls as "Ann"
    When the caller dials the bot

  Scenario: ERR_HEADER_RESERVED
    Given the bot sends the header "Via: x"

  Scenario: ERR_NUMBER_REFUSED
    Given the caller asks for "tel:112"
    When the caller dials the bot
