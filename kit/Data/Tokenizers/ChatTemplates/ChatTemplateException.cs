namespace ResearchKit.Data;

/// <summary>
/// A chat template refuses the messages, as with <c>raise_exception</c>, or uses what templates cannot do here.
/// </summary>
public sealed class ChatTemplateException : Exception
{
    /// <param name="message">What is wrong.</param>
    public ChatTemplateException(string message) : base(message)
    {
    }

    /// <summary>Without a message.</summary>
    public ChatTemplateException()
    {
    }

    /// <param name="message">What is wrong.</param>
    /// <param name="inner">The cause.</param>
    public ChatTemplateException(string message, Exception inner) : base(message, inner)
    {
    }
}
