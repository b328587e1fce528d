Feature: Transfers in every role
  What features/transfer.feature leaves out: the other side, and refusals.

  Background:
    Given a bot that plays the script "transfer" and lets the caller speak first

  Scenario: The caller transfers the bot
    Given the colleague "desk" answers the telephone
    And the bot accepts transfers
    And the caller is in a call with the bot
    When the caller transfers the call to "desk"
    Then the caller transfers the call to "desk" within 1 s
    And the transfer succeeds within 3 s
    And the transferring side is told "100, 180, 200" within 1 s
    And the transferred call reaches "desk" within 2 s

  Scenario: The caller puts the bot through, having asked first
    Given the colleague "desk" answers the telephone
    And the caller is in a call with the bot
    When the caller transfers the call to "desk" after asking there
    Then the transfer succeeds within 3 s
    And the transferred call reaches "desk" within 2 s

  Scenario: The caller will not be transferred
    Given the colleague "desk" answers the telephone
    And the caller refuses transfers with 603
    And the caller is in a call with the bot
    When the bot transfers the call to "desk"
    Then the transfer is refused with 603 within 2 s
    And the call goes on

  Scenario: The bot asks, and puts through who was answered
    Given the colleague "manager" answers the telephone
    And the caller is in a call with the bot
    When the caller says "Do you sell bicycles?"
    Then the bot transfers the call to "manager" within 10 s
    And the transfer succeeds within 3 s
    And the transferred call reaches "manager" within 2 s
