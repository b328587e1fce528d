Feature: Signalling
  How a call is set up, and what goes beside it: transports, messages, registration.

  Background:
    Given a bot that plays the script "reception" and lets the caller speak first

  Scenario: A call by TCP outlives its connection
    Given the bot listens on TCP
    And the caller is in a call with the bot
    Then the INVITE goes by TCP
    When the SIP connection of the caller breaks
    And the caller sends the message "Still there?"
    Then the bot receives the message "Still there?" within 2 s
    And the caller sends its MESSAGE by a new connection within 2 s

  Scenario: Both sides can be asked what they can do
    Given the caller is in a call with the bot
    When the caller asks the other side for its capabilities
    Then the bot answers OPTIONS with 200 within 2 s
    And the bot says that it allows MESSAGE within 2 s
    When the bot asks the other side for its capabilities
    Then the caller says that it allows UPDATE within 2 s

  Scenario: A registered bot is reached through a registrar
    Given a registrar of ours
    When the bot registers at our registrar
    Then the bot is registered within 5 s
    And the bot is registered at our registrar as "bot" within 5 s
    Given the caller is in a call with the bot
    When the caller hangs up
    And the bot unregisters
    Then the bot is not registered any more within 5 s
