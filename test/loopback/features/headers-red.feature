Feature: Headers that are not as expected
  These scenarios must not pass; test/loopback/side-by-side/header-steps.test.ts sees to it. Each is named for the
  code that it must end with.

  Background:
    Given a bot that plays the script "reception" and lets the caller speak first

  Scenario: ERR_HEADER_DIFFERS, another value
    Given the caller sends the header "X-Foo: bar"
    And the caller is in a call with the bot
    Then the bot receives the header "X-Foo" with "baz" in the INVITE

  Scenario: ERR_HEADER_DIFFERS, no such header
    Given the caller is in a call with the bot
    Then the caller receives the header "X-Foo" matching /./ in the 200

  Scenario: ERR_HEADER_DIFFERS, a header that should not be there
    Given the caller sends the header "X-Foo: bar"
    And the caller is in a call with the bot
    Then the bot receives no header "X-Foo" in the INVITE

  Scenario: ERR_HEADER_DIFFERS, another address
    Given the caller is in a call with the bot
    Then the bot receives the URI "sip:nobody@example.com" in the header "From" of the INVITE

  Scenario: ERR_HEADER_DIFFERS, another name
    Given the caller calls as "\"Ann\" <sip:ann@example.com>"
    And the caller is in a call with the bot
    Then the bot receives the display name "Bob" in the header "From" of the INVITE

  Scenario: ERR_MESSAGE_NOT_SEEN
    Given the caller is in a call with the bot
    Then the bot receives the header "X-Foo" with "bar" in the PRACK

  Scenario: ERR_BYE_SIDE
    Given the caller is in a call with the bot
    When the caller hangs up
    Then the BYE comes from the bot within 1 s

  Scenario: ERR_PHRASE_DIFFERS
    Given the bot refuses calls with 486 "Very Busy"
    When the caller dials the bot
    Then the call is rejected with 486 "Busy Here"
