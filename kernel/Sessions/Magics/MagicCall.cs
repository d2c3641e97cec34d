namespace ResearchKit.Kernel.Sessions.Magics;

/// <summary>The context of a magic command.</summary>
/// <param name="Languages">The session's languages.</param>
/// <param name="Folder">The notebook's folder.</param>
/// <param name="Run">The running cell.</param>
/// <param name="Language">The language at the line of the command.</param>
/// <param name="Execute">Runs code in a language as a part of the cell.</param>
internal sealed record MagicCall(
    SessionLanguages Languages, string Folder, CellRun Run, string Language, Func<string, string, Task> Execute);
