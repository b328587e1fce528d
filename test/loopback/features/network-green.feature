Feature: Networks that are injured on purpose
  Background:
    Given a bot that plays the script "reception" and lets the caller speak first

  Scenario: A named network, and one that gets worse and well again within a call
    Given the caller is behind the network "LTE"
    And packets from the bot take 10 ms
    And the caller is in a call with the bot
    When the caller says "Dial four two."
    Then the caller hears "Dialling four two now."
    When all packets to the caller are lost for 400 ms
    And 20 % of the packets to the caller come twice
    And the network of the bot is healthy
    And the caller says "Please hang up."
    Then the caller hears "Thank you for calling. Goodbye."
    And the bot hangs up within 6 s
    And the network lost at least 1 % of the packets to the caller
    And at most 20 % of the packets are lost

  Scenario: SIP that is lost is sent again
    Given SIP messages 1 to 1 from the caller are lost
    And 20 % of the SIP messages to the bot are lost
    And SIP messages to the caller take 20 ms
    And 10 % of the SIP messages from the bot come twice
    When the caller is in a call with the bot
    And the caller hangs up
    Then the network lost at least 1 SIP message from the caller
