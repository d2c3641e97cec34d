using ResearchKit.Kernel.Cells;
using ResearchKit.Kernel.Languages;

namespace ResearchKit.Kernel.Sessions;

/// <summary>One execution of a cell.</summary>
/// <param name="code">The cell's text.</param>
/// <param name="language">The language that the cell begins in.</param>
/// <param name="count">The execution count.</param>
/// <param name="scope">The scope of the cell.</param>
/// <param name="kit">Loads the kit, once per session.</param>
internal sealed class CellRun(string code, string language, int count, CellScope scope, Func<Task> kit)
{
    private readonly List<Action> atEnd = [];

    /// <summary>The cell's text.</summary>
    public string Code => code;

    /// <summary>The language that the cell begins in.</summary>
    public string Language => language;

    /// <summary>The execution count.</summary>
    public int Count => count;

    /// <summary>The scope of the cell.</summary>
    public CellScope Scope => scope;

    /// <summary>Loads the kit, once per session.</summary>
    public Func<Task> Kit => kit;

    /// <summary>The name of the cell in error messages.</summary>
    public string Name => $"cell {Count}";

    /// <summary>The language of the part that runs now.</summary>
    public ILanguage Current { get; set; } = null!;

    /// <summary>Whether the part that runs now is a file that the cell imports.</summary>
    public bool IsFile { get; set; }

    /// <summary>Registers an action to run after the cell's last part, even after a failure.</summary>
    public void AtEnd(Action action) => atEnd.Add(action);

    public void End() => atEnd.ForEach(action => action());
}
