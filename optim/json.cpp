#include <scry/core/error.hpp>
#include <scry/optim/json.hpp>
#include <nlohmann/json.hpp>

namespace scry::optim {
namespace {

using Json = nlohmann::ordered_json;

Json to_json(const CheckpointHeader::Rule& rule) {
  Json groups = Json::array();
  for (const auto& group : rule.options) {
    Json& options = groups.emplace_back(Json::object());
    for (const auto& option : group) options[option.name] = {{"given", option.given}, {"now", option.now}};
  }
  return {{"name", rule.name}, {"options", std::move(groups)}, {"slots", rule.slots}};
}

Json to_json(const CheckpointHeader::Row& row) {
  return {{"name", row.name}, {"aliases", row.aliases}, {"role", row.buffer ? "buffer" : "parameter"}, {"trained", row.trained}};
}

CheckpointHeader::Rule read_rule(const Json& json) {
  CheckpointHeader::Rule rule{json.at("name"), {}, json.at("slots")};
  for (const Json& group : json.at("options")) {
    auto& options = rule.options.emplace_back();
    for (const auto& item : group.items()) options.push_back({item.key(), item.value().at("given"), item.value().at("now")});
  }
  return rule;
}

CheckpointHeader::Row read_row(const Json& json) { return {json.at("name"), json.at("aliases"), json.at("role") == "buffer", json.at("trained")}; }

}  // namespace

std::string to_json(const CheckpointHeader& header) {
  Json rules = Json::array(), rows = Json::array();
  for (const auto& rule : header.rules) rules.push_back(to_json(rule));
  for (const auto& row : header.rows) rows.push_back(to_json(row));
  const Json out{{"format", CheckpointHeader::format},
                 {"version", CheckpointHeader::version},
                 {"optimizer", header.optimizer},
                 {"steps", header.steps},
                 {"groups", header.groups},
                 {"rules", std::move(rules)},
                 {"averaged", header.averaged},
                 {"rows", std::move(rows)},
                 {"parts", header.parts},
                 {"generator", {{"seed", header.seed}, {"counter", header.counter}}}};
  return out.dump();
}

std::string to_json(int64_t epoch, const Metrics& metrics) {
  Json out{{"epoch", epoch}};
  for (const auto& [name, value] : metrics) out[name] = value;
  return out.dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::string to_json(const std::string& optimizer, const std::vector<TracedElement>& elements, const std::vector<TracedStep>& steps) {
  Json names = Json::array(), list = Json::array();
  for (const TracedElement& each : elements) names.push_back({{"parameter", each.parameter}, {"element", each.element}});
  for (const TracedStep& each : steps) {
    Json slots = Json::object(), terms = Json::array();
    for (const auto& [name, value] : each.slots) slots[name] = value;
    for (const TracedTerm& line : each.terms) terms.push_back({{"name", line.name}, {"text", line.text}, {"value", line.value}});
    list.push_back({{"step", each.step},
                    {"element", each.element},
                    {"before", each.before},
                    {"gradient", each.gradient ? Json(*each.gradient) : Json()},
                    {"after", each.after},
                    {"slots", std::move(slots)},
                    {"terms", std::move(terms)}});
  }
  const Json out{{"optimizer", optimizer}, {"elements", std::move(names)}, {"steps", std::move(list)}};
  return out.dump(-1, ' ', false, Json::error_handler_t::replace);
}

CheckpointHeader parse_checkpoint_header(const std::string& text, std::string_view source) try {
  const Json json = Json::parse(text);
  require(json.at("format") == CheckpointHeader::format, source, ": this is no checkpoint of scry");
  require(json.at("version") == CheckpointHeader::version, source, ": its version is ", json.at("version").dump(), "; this program reads version ",
          CheckpointHeader::version);
  CheckpointHeader header;
  header.optimizer = json.at("optimizer");
  header.steps = json.at("steps");
  header.groups = json.at("groups");
  for (const Json& rule : json.at("rules")) {
    header.rules.push_back(read_rule(rule));
    require(header.rules.back().options.size() == header.groups.size(), source, ": its header is damaged: the options of ", header.rules.back().name,
            " are those of ", header.rules.back().options.size(), " groups, and there are ", header.groups.size());
  }
  header.averaged = json.at("averaged");
  for (const Json& row : json.at("rows")) header.rows.push_back(read_row(row));
  header.parts = json.at("parts");
  header.seed = json.at("generator").at("seed");
  header.counter = json.at("generator").at("counter");
  return header;
} catch (const nlohmann::json::exception& error) {
  fail(source, ": its header is damaged: ", error.what());
}

}  // namespace scry::optim
