namespace ResearchKit.Tests.Compression;

/// <summary>Asserts that bad input is refused with a message that names what is wrong.</summary>
internal static class Refusal
{
    /// <param name="action">Throws an <see cref="ArgumentException"/>.</param>
    /// <param name="words">Parts of its message.</param>
    public static void Refuses(Action action, params string[] words)
    {
        var message = Assert.Throws<ArgumentException>(action).Message;
        Assert.All(words, word => Assert.Contains(word, message, StringComparison.Ordinal));
    }
}
