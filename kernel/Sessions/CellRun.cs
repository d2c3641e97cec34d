using ResearchKit.Kernel.Languages;

namespace ResearchKit.Kernel.Sessions;

/// <summary>One execution of a cell.</summary>
/// <param name="Code">The cell's text.</param>
/// <param name="Language">The language that it begins in.</param>
/// <param name="Count">Its execution count.</param>
/// <param name="Scope">The cell as its own code sees it.</param>
/// <param name="Kit">Loads the kit, once.</param>
internal sealed record CellRun(string Code, string Language, int Count, CellScope Scope, Func<Task> Kit)
{
    private readonly List<Action> atEnd = [];

    /// <summary>What errors call the cell.</summary>
    public string Name => $"cell {Count}";

    /// <summary>The language of the part that runs now.</summary>
    public ILanguage Current { get; set; } = null!;

    /// <summary>Does something when the cell's last part has ended, however it ended.</summary>
    public void AtEnd(Action action) => atEnd.Add(action);

    public void End() => atEnd.ForEach(action => action());
}
