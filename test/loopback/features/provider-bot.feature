Feature: Bot and tester are played elsewhere
  Two providers, a tokens service that alone knows their keys, and a step of one's own.

  Scenario: The run has no key, and the guest gets what he wants
    Given our concierge
    And the tester "guest"
    When the tester calls the bot
    Then the tester reaches its goal within 60 s
    And the bot says "Breakfast is served from seven until ten" to the tester
