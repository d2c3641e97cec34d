namespace ResearchKit.Training;

/// <summary>How a run stands, as records and <c>researchkit runs</c> say it.</summary>
public static class RunStatusNames
{
    /// <summary>It goes on.</summary>
    public const string Running = "running";

    /// <summary>It came to its last step, or its program ended without an error.</summary>
    public const string Succeeded = "succeeded";

    /// <summary>It ended before its last step, without an error: a callback, early stopping, or a <c>break</c>.</summary>
    public const string Stopped = "stopped";

    /// <summary>It ended with an error; the record has the error's message.</summary>
    public const string Failed = "failed";

    /// <summary>Its process is gone and wrote no end. The record still says that it runs.</summary>
    public const string Killed = "killed";
}
