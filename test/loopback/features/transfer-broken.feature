Feature: Transfers that cannot be asked for
  These scenarios are wrong themselves. Each is named for the code that it must end with.

  Background:
    Given a bot that plays the script "reception" and lets the caller speak first
    And the caller is in a call with the bot

  Scenario: ERR_COLLEAGUE_UNKNOWN
    When the bot transfers the call to "desk"

  Scenario: ERR_TARGET_UNSUPPORTED
    When the bot transfers the call to "sip:desk@127.0.0.1;transport=sctp"

  Scenario: ERR_STATUS_CODE
    Given the colleague "desk" answers the telephone
    When the bot transfers the call to "desk"
    Then the transferring side is told "100, soon, 200" within 1 s

  Scenario: ERR_NOT_IN_CALL
    When the caller hangs up
    And the bot transfers the call to "sip:desk@127.0.0.1"
