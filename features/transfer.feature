Feature: Transfer
  A bot that says "one moment, please" has promised a REFER, a call between two others, and its
  own leave. And where nobody answers there, the caller must not be lost.

  Background:
    Given a bot that plays the script "transfer" and lets the caller speak first

  Scenario: The bot puts the caller through
    Given the colleague "desk" answers the telephone
    And the caller is in a call with the bot
    When the caller says "Front desk, please."
    Then the bot calls the tool "transfer_call" with:
      | destination | desk |
    And the bot transfers the call to "desk" within 6 s
    And the transfer succeeds within 2 s
    And the transferred call reaches "desk" within 2 s
    And the bot hangs up within 2 s

  Scenario: Nobody takes the call there
    Given the colleague "desk" refuses calls with 486
    And the caller is in a call with the bot
    When the bot transfers the call to "desk"
    Then the transfer fails with 486 within 2 s
    And the transferring side is told "100, 486" within 1 s
    And the call goes on

  Scenario: The bot asks first
    Given the colleague "manager" answers the telephone
    And the caller is in a call with the bot
    When the bot transfers the call to "manager" after asking there
    Then the transfer succeeds within 2 s
    And the transferred call reaches "manager" within 2 s
    And the bot hangs up within 2 s
