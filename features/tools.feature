Feature: Tools with an effect on the wire
  That a model calls a tool is half of the truth. The other half is what happens on the telephone:
  the BYE, the digits.

  Background:
    Given a bot that plays the script "reception" and lets the caller speak first
    And the caller is in a call with the bot

  Scenario: The bot hangs up when it is asked to
    When the caller says "Please hang up."
    Then the bot calls the tool "hangup_call"
    And the bot hangs up within 6 s
    And the caller hears "Thank you for calling. Goodbye."

  Scenario: The bot presses keys
    When the caller says "Dial four two."
    Then the bot calls the tool "send_dtmf" with:
      | digits | 42 |
    And the caller receives the digits "42" within 6 s
