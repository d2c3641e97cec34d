namespace ResearchKit.Kernel.Sessions.Magics;

/// <summary>What a <c>#!</c> line gets from its session.</summary>
/// <param name="Languages">The session's languages.</param>
/// <param name="Folder">The notebook's folder.</param>
/// <param name="Run">The running cell.</param>
/// <param name="Language">The language that the line stands in.</param>
/// <param name="Execute">Runs code in a language as if it stood here.</param>
internal sealed record MagicCall(
    SessionLanguages Languages, string Folder, CellRun Run, string Language, Func<string, string, Task> Execute);
