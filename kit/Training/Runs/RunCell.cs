namespace ResearchKit.Training;

/// <summary>How a cell of a notebook ended.</summary>
/// <param name="Cell">Its number among the code cells, from 1.</param>
/// <param name="Id">Its id in the notebook.</param>
/// <param name="Seconds">How long it took.</param>
/// <param name="Status">Such as "succeeded" or "failed".</param>
/// <param name="Error">The error, if there was one.</param>
public sealed record RunCell(int Cell, string Id, double Seconds, string Status, RunError? Error = null);

/// <summary>The error of a cell.</summary>
/// <param name="Name">Its kind, such as the name of an exception.</param>
/// <param name="Message">The message.</param>
/// <param name="Traceback">Where it happened, line by line.</param>
public sealed record RunError(string Name, string Message, IReadOnlyList<string> Traceback);
