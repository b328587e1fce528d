Feature: The network between bot and AI
  A bot that talks to its AI by WebSocket talks over TCP: where one packet is lost, all that come after
  it wait until it has been sent again. Here a model of TCP decides when that is; its figures are
  marked as modelled.

  Background:
    Given a bot that plays the script "reception" and lets the caller speak first
    And the AI is reached by modelled TCP
    And packets to the AI take 40 ms
    And packets from the AI take 40 ms

  Scenario: Losses on the way from the AI
    Given 2 % of the packets from the AI are lost
    And the caller is in a call with the bot
    When the caller says "Dial four two."
    Then the caller hears "Dialling four two now."
    When the caller says "Please hang up."
    Then the caller hears "Thank you for calling. Goodbye."
    And the bot hangs up within 8 s
    And nothing from the AI is held up for longer than 5 s

  Scenario: Nothing comes from the AI for a while, no acknowledgement either, and it hears nothing
    Given the caller is in a call with the bot
    When the caller says "Please hang up."
    And all packets from the AI are lost for 1500 ms
    Then the caller hears "Thank you for calling. Goodbye."
    And something to the AI is held up for at least 200 ms
    And the bot hangs up within 8 s
    And the network lost at least 1 % of the packets from the AI
