Feature: Tools of one's own, from a module

  Background:
    Given a bot that plays the script "test/loopback/scripts/rooms.yaml" and lets the caller speak first
    And the caller is in a call with the bot

  Scenario: What the tool returns reaches the AI
    When the caller says "Front desk, please."
    Then the tool "free_rooms" succeeds
    And the bot answers within 3 s
    And the caller hears "Of course. What would you like to know?"

  Scenario: One that throws and one that never ends are told to the AI
    When the caller says "Dial four two."
    Then the bot calls the tools "broken, endless" in order
    And the tool "broken" fails with "ERR_TOOL_FAILED"
    And the tool "endless" fails with "ERR_TOOL_TIMED_OUT"
    And the caller hears "I am sorry, nobody is free there. Can I help you?"
