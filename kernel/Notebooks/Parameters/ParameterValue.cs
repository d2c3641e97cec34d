using System.Text.Json.Nodes;

namespace ResearchKit.Kernel.Notebooks.Parameters;

/// <summary>
/// The value of a parameter for a run: as code of the parameters cell's language, and as JSON for the run record.
/// </summary>
/// <param name="Parameter">The parameter.</param>
/// <param name="Declaration">The line that declares the variable again.</param>
/// <param name="Json">The value for the run record.</param>
public sealed record ParameterValue(Parameter Parameter, string Declaration, JsonNode? Json);
